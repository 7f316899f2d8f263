/** Calls of programs that the cluster asks: where a webhook is, how it is reached, and what failures are called. */
export { createWebhookCaller, type Place, type WebhookCaller, WebhookFailure } from './caller.ts'
export { decodeReview, fieldIn, textIn } from './review.ts'

/** A metric from which no number of replicas can be told, in Kubernetes' words. */
export class MetricMissing extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'MetricMissing'
  }
}

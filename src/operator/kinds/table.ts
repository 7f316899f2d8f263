import type { TrainingJobKind } from '../training-job/kind.ts'
import { tfJob } from './tf-job.ts'

/** The kinds of training jobs that this operator runs. */
export const trainingJobKinds: readonly TrainingJobKind[] = [tfJob]

/** The expression is wrong, whatever it will be given. The message is worded as Kubernetes words it. */
export class CelCompileError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'CelCompileError'
  }

  /** Points at a place of the source, as cel-go does. */
  static at(expression: string, offset: number, text: string, cause?: unknown): CelCompileError {
    const before = expression.slice(0, offset).split('\n')
    const line = before.length
    const column = (before.at(-1) ?? '').length
    const source = expression.split('\n')[line - 1] ?? ''
    return new CelCompileError(
      `ERROR: <input>:${line}:${column + 1}: ${text}\n | ${source}\n | ${'.'.repeat(column)}^`,
      { cause },
    )
  }
}

/** The expression has no value for what it was given: a missing key, a division by zero, an overflow. */
export class CelEvaluationError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'CelEvaluationError'
  }
}

/** The expression did more work than is allowed. Nothing within the expression can make up for it. */
export class CelBudgetError extends CelEvaluationError {
  constructor() {
    super('operation cancelled: actual cost limit exceeded')
    this.name = 'CelBudgetError'
  }
}

export const noSuchKey = (key: string): CelEvaluationError => new CelEvaluationError(`no such key: ${key}`)
export const noSuchOverload = (): CelEvaluationError => new CelEvaluationError('no such overload')

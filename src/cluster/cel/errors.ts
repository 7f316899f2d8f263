/** The expression is wrong, whatever it will be given. The message is worded as Kubernetes words it. */
export class CelCompileError extends Error {
  /** As objects that carry the expression tell it. */
  readonly told: string

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'CelCompileError'
    this.told = `compilation failed: ${message}`
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

/** The expression is well made but gives something else than is asked for. */
export class CelResultError extends CelCompileError {
  override readonly told: string

  constructor(message: string) {
    super(message)
    this.name = 'CelResultError'
    this.told = message
  }
}

/** The expression has no value for what it was given: a missing key, a division by zero, an overflow. */
export class CelEvaluationError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'CelEvaluationError'
  }
}

/** An operator or function met values that it does not take. */
export class CelOverloadError extends CelEvaluationError {
  constructor() {
    super('no such overload')
    this.name = 'CelOverloadError'
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
export const noSuchOverload = (): CelOverloadError => new CelOverloadError()

import { CelBudgetError } from './errors.ts'

/** Most work that one expression may do; about a tenth of a second. */
const perExpression = 1_000_000
/** Most work of all expressions that decide about one request. */
const perRequest = 10_000_000

/** How much work expressions may still do. Roughly: one unit is one step, or ten characters or elements touched. */
export class Budget {
  #total: number
  #expression = perExpression

  constructor(total: number = perRequest) {
    this.#total = total
  }

  /** A new expression begins. */
  begin(): void {
    this.#expression = Math.min(perExpression, this.#total)
  }

  /** @throws {CelBudgetError} when nothing is left. */
  spend(units: number): void {
    this.#total -= units
    this.#expression -= units
    if (this.#expression < 0) throw new CelBudgetError()
  }

  /** For work that grows with what is touched: characters, elements. */
  spendOn(size: number): void {
    this.spend(1 + size / 10)
  }

  get isExhausted(): boolean {
    return this.#total <= 0
  }
}

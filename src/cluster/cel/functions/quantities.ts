import {
  addQuantities,
  compareQuantities,
  parseQuantity,
  type Quantity,
  QuantityError,
  quantityOf,
  quantityToNumber,
  subtractQuantities,
} from '../../../kube/index.ts'
import { CelEvaluationError } from '../errors.ts'
import { type CelFunction, global, method, overload } from '../function.ts'
import { bool, double, int, opaque } from '../types.ts'
import { checkedInt, Opaque } from '../values.ts'

/** A Kubernetes quantity, such as `1.5Gi`. */
class QuantityValue extends Opaque {
  readonly kind = 'kubernetes.Quantity'
  readonly quantity: Quantity
  constructor(quantity: Quantity) {
    super()
    this.quantity = quantity
  }
  equals(other: Opaque): boolean {
    return other instanceof QuantityValue && compareQuantities(this.quantity, other.quantity) === 0
  }
}

const kind = 'kubernetes.Quantity'
const type = opaque(kind)
const unit = 1_000_000_000n
type One = [QuantityValue]
type Two = [QuantityValue, QuantityValue]

// Reading digits is quadratic; no quantity needs more.
const longest = 256

function read(text: string): Quantity | undefined {
  if (text.length > longest) return undefined
  try {
    return parseQuantity(text)
  } catch (error) {
    if (error instanceof QuantityError) return undefined
    throw error
  }
}

function isWhole({ quantity }: QuantityValue): boolean {
  const whole = quantity.nanos / unit
  return quantity.nanos % unit === 0n && whole < 2n ** 63n && whole >= -(2n ** 63n)
}

const order = ([a, b]: Two): number => compareQuantities(a.quantity, b.quantity)
const isQuantity = overload<[string]>(['string'], bool, ([text]) => read(text) !== undefined)

/** Kubernetes' quantity library. */
export const quantities: readonly CelFunction[] = [
  global(
    'quantity',
    overload<[string]>(['string'], type, ([text]) => {
      const quantity = read(text)
      if (quantity === undefined) {
        throw new CelEvaluationError(
          "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        )
      }
      return new QuantityValue(quantity)
    }),
  ),
  global('isQuantity', isQuantity),
  method(
    'isInteger',
    overload<One>([kind], bool, ([value]) => isWhole(value)),
  ),
  method(
    'asInteger',
    overload<One>([kind], int, ([value]) => {
      if (!isWhole(value)) throw new CelEvaluationError('cannot convert value to integer')
      return checkedInt(value.quantity.nanos / unit)
    }),
  ),
  method(
    'asApproximateFloat',
    overload<One>([kind], double, ([value]) => quantityToNumber(value.quantity)),
  ),
  method(
    'sign',
    overload<One>([kind], int, ([{ quantity }]) =>
      quantity.nanos > 0n ? 1n : quantity.nanos < 0n ? -1n : 0n,
    ),
  ),
  method(
    'add',
    overload<Two>([kind, kind], type, ([a, b]) => new QuantityValue(addQuantities(a.quantity, b.quantity))),
    overload<[QuantityValue, bigint]>(
      [kind, 'int'],
      type,
      ([a, b]) => new QuantityValue(addQuantities(a.quantity, quantityOf(b))),
    ),
  ),
  method(
    'sub',
    overload<Two>(
      [kind, kind],
      type,
      ([a, b]) => new QuantityValue(subtractQuantities(a.quantity, b.quantity)),
    ),
    overload<[QuantityValue, bigint]>(
      [kind, 'int'],
      type,
      ([a, b]) => new QuantityValue(subtractQuantities(a.quantity, quantityOf(b))),
    ),
  ),
]

/** `isGreaterThan` and its like, shared with other ordered libraries by name. */
export const quantityOrder = {
  isGreaterThan: overload<Two>([kind, kind], bool, (args) => order(args) > 0),
  isLessThan: overload<Two>([kind, kind], bool, (args) => order(args) < 0),
  compareTo: overload<Two>([kind, kind], int, (args) => BigInt(order(args))),
} as const

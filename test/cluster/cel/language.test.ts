import { describe, expect, it } from 'vitest'
import {
  type Bindings,
  CelCompileError,
  celTypes,
  CelEvaluationError,
  compile,
  fromJson,
  kubernetesEnvironment,
} from '../../../src/cluster/cel/index.ts'

const environment = kubernetesEnvironment.with({
  object: celTypes.dyn,
  oldObject: celTypes.dyn,
  x: celTypes.dyn,
})
const object = {
  metadata: { name: 'job', labels: { team: 'a' }, 'with-dash': 1 },
  spec: {
    workers: 3,
    ratio: 0.5,
    image: 'tf:1.5',
    containers: [{ name: 'a', privileged: false }, { name: 'b' }],
    empty: null,
    text: 'añb',
  },
}
const bindings: Bindings = { object: fromJson(object), oldObject: null, x: fromJson([3, 1, 2]) }

const evaluate = (expression: string): unknown => compile(expression, environment).evaluate(bindings)

/** All of these are true. */
const truths = [
  // numbers
  '1 + 2 * 3 == 7',
  '7 / 2 == 3 && -7 / 2 == -3 && 7 % 3 == 1 && -7 % 3 == -1',
  '7.0 / 2.0 == 3.5',
  'dyn(1) == 1.0 && dyn(1u) == 1 && 2 > 1.5 && 1u < 2',
  'object.spec.workers == 3 && object.spec.workers + 1 == 4 && type(object.spec.workers) == int',
  'type(object.spec.ratio) == double',
  'int("42") == 42 && double("1.5") == 1.5 && uint(3) == 3u && int(3.9) == 3',
  'string(1.0) == "1" && string(42) == "42" && string(true) == "true"',
  '-9223372036854775808 < 0 && 9223372036854775807 > 0',
  '0x1F == 31',
  // logic
  'true || 1/0 == 1',
  '1/0 == 1 || true',
  '!(false && 1/0 == 1) && !(1/0 == 1 && false)',
  'true ? true : 1/0 == 1',
  // fields
  'has(object.spec.workers) && !has(object.spec.nothing)',
  'has(object.spec.empty) && object.spec.empty == null',
  'oldObject == null',
  'object.metadata.labels["team"] == "a" && "team" in object.metadata.labels && !("x" in object.metadata.labels)',
  'object.metadata.with__dash__dash == 1',
  'object.?spec.?nothing.?deep.orValue("none") == "none"',
  'object.?spec.?workers.hasValue() && object.?spec.workers.orValue(0) == 3',
  'object.metadata.labels[?"nope"].orValue("d") == "d"',
  'optional.of(1).value() == 1 && !optional.none().hasValue() && optional.ofNonZeroValue(0) == optional.none()',
  'object.?spec.?workers.optMap(w, w * 2).orValue(0) == 6',
  '["a", object.spec.workers, 1].size() == 3 && [dyn(1), "a"].size() == 2 && [[], [1]].size() == 2',
  '[duration("1h"), null].size() == 2 && [optional.none(), optional.of(1)].size() == 2',
  '[optional.of(1), optional.none(), optional.of(2)].unwrapOpt() == [1, 2]',
  'optional.unwrap([object.?spec.?nothing, object.?spec.?workers]) == [3]',
  'x.first().value() == 3 && x.last().value() == 2 && !x.filter(n, n > 9).first().hasValue()',
  '[?object.?spec.?nothing, 1, ?optional.of(2)] == [1, 2] && [?optional.none()] == []',
  '{?"a": object.?spec.?workers, ?"b": object.?b, "c": 1} == {"a": 3, "c": 1}',
  '{?"a": object.?a}.size() == 0 && [[?object.?a], [?object.?spec.?workers]] == [[], [3]]',
  '1 in [?optional.of(1)] && [1][?0] == optional.of(1) && [?true ? optional.of(1) : optional.none()] == [1]',
  '["?", ",?", \'[?x]\', // [?y]\n ?optional.none()].size() == 3',
  // macros
  'object.spec.containers.all(c, !has(c.privileged) || !c.privileged)',
  'object.spec.containers.exists(c, c.name == "b") && object.spec.containers.exists_one(c, c.name == "a")',
  'object.spec.containers.map(c, c.name) == ["a", "b"]',
  'object.spec.containers.map(c, c.name == "b", c.name) == ["b"]',
  'object.spec.containers.filter(c, has(c.privileged)).size() == 1',
  'object.metadata.labels.all(k, k == "team")',
  '[1, 2].all(i, v, i + 1 == v) && {"a": 1}.exists(k, v, k == "a" && v == 1)',
  '[1, 2].transformList(i, v, i + v) == [1, 3]',
  '{"a": 1, "b": 2}.transformMap(k, v, v > 1, v * 10) == {"b": 20}',
  '{"a": "x"}.transformMapEntry(k, v, {v: k}) == {"x": "a"}',
  'cel.bind(n, object.spec.workers, n * n == 9)',
  '[1, 0].exists(i, 1 / i == 1)',
  // strings
  '"hello".startsWith("he") && "hello".endsWith("lo") && "hello".contains("ell")',
  '"tacocat".charAt(3) == "o" && object.spec.text.charAt(1) == "ñ" && size(object.spec.text) == 3',
  '"hello mellow".indexOf("ello") == 1 && "hello mellow".lastIndexOf("ello") == 7 && "x".indexOf("y") == -1',
  '"TacoCat".lowerAscii() == "tacocat" && "TacoCÆt".upperAscii() == "TACOCÆT"',
  '"hello hello".replace("he", "we") == "wello wello" && "hello hello".replace("he", "we", 1) == "wello hello"',
  '"a,b,c".split(",") == ["a", "b", "c"] && "a,b,c".split(",", 2) == ["a", "b,c"]',
  '"tacocat".substring(4) == "cat" && "tacocat".substring(0, 4) == "taco"',
  '"  \\ttrim\\n ".trim() == "trim"',
  '["a", "b"].join("-") == "a-b" && [].join() == ""',
  'strings.quote("a\\"b\\n") == "\\"a\\\\\\"b\\\\n\\""',
  '"%s is %d, %.2f, %x, %b, %e".format([dyn("a"), 3, 2.5, 255, 5, 1234.5]) == "a is 3, 2.50, ff, 101, 1.234500e+03"',
  '"%s".format([[dyn(1), "a", {"k": true}]]) == "[1, a, {k: true}]"',
  '"abc".matches("^a.c$") && matches("abc", "b") && !"abc".matches("^b")',
  '"abc 123 d45".find("[0-9]+") == "123" && "abc 123 d45".findAll("[0-9]+") == ["123", "45"]',
  'r"\\d" == "\\\\d" && "é" == "\\u00e9"',
  // lists, sets, maps
  '[1, 2] + [3] == [1, 2, 3] && 2 in [1, 2] && !(4 in [1])',
  'x.sum() == 6 && x.min() == 1 && x.max() == 3 && !x.isSorted() && [1, 2].isSorted() && [].sum() == 0',
  'x.indexOf(1) == 1 && [1, 2, 1].lastIndexOf(1) == 2',
  'sets.contains([1, 2, 3], [2]) && sets.equivalent([1, 2], [2, 1, 1]) && sets.intersects([1], [1, 2])',
  '{"a": dyn(1), "b": [1]} == {"b": [1], "a": dyn(1)} && {"a": 1}.a == 1 && {1: "x"}[1] == "x"',
  '["a"][0] == "a" && dyn("a") != dyn(1)',
  // times
  'timestamp("2023-12-25T00:00:00Z") + duration("36h") == timestamp("2023-12-26T12:00:00Z")',
  'timestamp("2023-12-25T12:30:45.5Z").getDayOfWeek() == 1 && timestamp("2023-12-25T12:30:45.5Z").getMonth() == 11',
  'timestamp("2023-12-25T12:30:45.5Z").getHours("Europe/Berlin") == 13 && timestamp("2023-12-25T12:30:45.5Z").getHours("-02:00") == 10',
  'timestamp("2023-12-25T12:30:45.5Z").getMilliseconds() == 500 && timestamp("2023-02-01T00:00:00Z").getDayOfYear() == 31',
  'duration("1h30m").getMinutes() == 90 && string(duration("1h30m")) == "5400s" && duration("90m") == duration("1h30m")',
  'string(timestamp("2023-12-25T12:30:45.500Z")) == "2023-12-25T12:30:45.5Z"',
  // Kubernetes' libraries
  'quantity("1.5Gi").isGreaterThan(quantity("1Gi")) && quantity("200k").asInteger() == 200000 && quantity("1") == quantity("1000m")',
  'quantity("50k").add(20).sub(quantity("1k")) == quantity("49020") && quantity("-1").sign() == -1 && isQuantity("1Ei") && !isQuantity("Three")',
  'quantity("1k").compareTo(quantity("1M")) == -1 && !quantity("500m").isInteger() && quantity("0.5").asApproximateFloat() == 0.5',
  'url("https://example.com:80/path%20x?k=a&k=b").getHost() == "example.com:80" && url("https://example.com:80/").getPort() == "80"',
  'url("https://user@example.com/path%20x?k=a&k=b").getQuery() == {"k": ["a", "b"]} && url("/p%20x").getPath() == "/p x" && url("/p%20x").getEscapedPath() == "/p%20x"',
  'isURL("https://a.b") && !isURL("../rel") && url("/abs").getScheme() == "" && url("https://[::1]:80/").getHostname() == "::1"',
  'isIP("127.0.0.1") && ip("127.0.0.1").isLoopback() && ip("::1").family() == 6 && !isIP("::ffff:1.2.3.4") && string(ip("1.2.3.4")) == "1.2.3.4"',
  'ip.isCanonical("2001:db8::abcd") && !ip.isCanonical("2001:DB8::ABCD") && ip("10.0.0.1").isGlobalUnicast()',
  'cidr("192.168.0.0/24").containsIP("192.168.0.7") && !cidr("192.168.0.0/24").containsIP(ip("192.168.1.7")) && cidr("10.0.0.5/8").masked() == cidr("10.0.0.0/8")',
  'cidr("10.0.0.0/8").containsCIDR("10.1.0.0/16") && cidr("::1/24").prefixLength() == 24 && isCIDR("10.0.0.0/8") && !isCIDR("10.0.0.0")',
  '!format.dns1123Label().validate("my-name").hasValue() && format.dns1123Label().validate("Bad_Name").hasValue() && format.named("uuid").hasValue()',
  'semver("1.2.3").isLessThan(semver("1.10.0")) && semver("1.0.0-alpha").compareTo(semver("1.0.0")) == -1 && semver("v1.2", true).minor() == 2 && !isSemver("1.2")',
]

describe('the expression language', () => {
  it.each(truths)('holds that %s', (expression) => {
    expect(evaluate(expression)).toBe(true)
  })

  it.each([
    ['1 / 0', 'division by zero'],
    ['9223372036854775807 + 1', 'integer overflow'],
    ['object.spec.nothing', 'no such key: nothing'],
    ['object.metadata.labels["x"]', 'no such key: x'],
    ['x[7]', 'index out of bounds: 7'],
    ['object.spec.workers.startsWith("a")', 'no such overload'],
    ['"a".charAt(9)', 'index out of range: 9'],
    ['int("abc")', "type conversion error from 'string' to 'int'"],
    ['[].max()', 'empty list'],
    ['x.all(i, 1 / (i - 3) <= 0)', 'division by zero'],
    ['optional.none().value()', 'optional.none() dereference'],
    ['quantity("nope")', 'quantities must match'],
    ['"(".matches(object.spec.image + "(")', 'error parsing regexp'],
  ])('has no value for %s', (expression, message) => {
    expect(() => evaluate(expression)).toThrow(CelEvaluationError)
    expect(() => evaluate(expression)).toThrow(message)
  })

  it.each([
    ['object.spec.(', 'Syntax error'],
    ['nothing == 1', "undeclared reference to 'nothing' (in container '')"],
    ['1 + "a"', "found no matching overload for '_+_' applied to '(int, string)'"],
    ['"a" == 1', "found no matching overload for '_==_' applied to '(string, int)'"],
    ['"a".nope()', "undeclared reference to 'nope'"],
    ['"a".matches("(")', 'invalid matches argument'],
    ['1 && true', "expected type 'bool' but found 'int'"],
    ['[1].all(1, true)', 'invalid predicate iteration variable'],
    ['9223372036854775808', 'out of range'],
    ['"a".b', "type 'string' does not support field selection"],
    ['has(object)', 'invalid argument to has() macro'],
    ['[1, 2, "a"]', "ERROR: <input>:1:8: expected type 'int' but found 'string'"],
    ['[object.spec, [1], ["a", 1]]', "expected type 'string' but found 'int'"],
    ['[["a"], [1]]', "expected type 'list(string)' but found 'list(int)'"],
    ['{"a": 1, "b": "c"}', "expected type 'int' but found 'string'"],
    ['{"a": 1, 2: 1}', "expected type 'string' but found 'int'"],
    ['[1, null]', "expected type 'int' but found 'null'"],
    ['duration("1 day") > duration("1h")', 'ERROR: <input>:1:10: invalid duration argument'],
    ['timestamp("today") > timestamp("2020-01-01T00:00:00Z")', 'invalid timestamp argument'],
    ['timestamp("9999-12-31T23:59:59-23:59") > timestamp(0)', 'invalid timestamp argument'],
    ['[?1]', "expected type 'optional_type(int)' but found 'int'"],
    ['{?"a": 1}', "expected type 'optional_type(int)' but found 'int'"],
    ['size(?object)', 'Syntax error'],
    ['[1, ??object]', 'Syntax error'],
    ['object.`with-dash`', 'Syntax error'],
    [`${'!'.repeat(50_000)}true`, 'nested too deeply'],
    [`${'('.repeat(5000)}1${')'.repeat(5000)}`, 'maxDepth'],
    [`1${' + 1'.repeat(5000)}`, 'nested too deeply'],
  ])('does not compile %s', (expression, message) => {
    expect(() => compile(expression, environment)).toThrow(CelCompileError)
    expect(() => compile(expression, environment)).toThrow(message)
  })

  it('has no value for an optional entry that is none', () => {
    expect(() => evaluate('[?object.spec.workers]')).toThrow(
      'cannot initialize optional list element from non-optional value 3',
    )
    expect(() => evaluate('{?"a": object.spec.workers}')).toThrow(
      "cannot initialize optional entry 'a' from non-optional value 3",
    )
  })

  it('takes long chains of or and and', () => {
    const chain = Array.from({ length: 2000 }, (_, at) => `object.spec.workers == ${at + 10}`).join(' || ')
    expect(evaluate(chain)).toBe(false)
  })
})

describe('lists of custom resources', () => {
  const lists = {
    type: 'object' as const,
    properties: {
      set: {
        type: 'array' as const,
        items: { type: 'string' as const },
        'x-kubernetes-list-type': 'set' as const,
      },
      map: {
        type: 'array' as const,
        items: {
          type: 'object' as const,
          properties: { k: { type: 'string' as const }, v: { type: 'integer' as const } },
        },
        'x-kubernetes-list-type': 'map' as const,
        'x-kubernetes-list-map-keys': ['k'],
      },
    },
  }
  const self = fromJson(
    {
      set: ['a', 'b'],
      map: [
        { k: 'x', v: 1 },
        { k: 'y', v: 2 },
      ],
    },
    lists,
  )
  const typed = kubernetesEnvironment.with({ self: celTypes.typeOfSchema(lists) })
  const holds = (expression: string): unknown => compile(expression, typed).evaluate({ self })

  it.each([
    'self.set == ["b", "a"] && self.set != ["b", "c"]',
    'self.set + ["b", "c"] == ["a", "b", "c"]',
    '(self.map + [{"k": "x", "v": dyn(9)}]).map(e, e.v) == [9, 2]',
  ])('know their kind: %s', (expression) => {
    expect(holds(expression)).toBe(true)
  })

  it('point at the place of an error as cel-go does', () => {
    expect(() => compile('self.set.nope == 1', typed)).toThrow(
      "ERROR: <input>:1:9: type 'list(string)' does not support field selection\n | self.set.nope == 1\n | ........^",
    )
    expect(() => compile('1 + self.set', typed)).toThrow(
      "ERROR: <input>:1:3: found no matching overload for '_+_' applied to '(int, list(string))'",
    )
  })
})

import { describe, expect, it } from 'vitest'
import { formatData, formatFields, formatTable } from '../../src/cli/output.ts'

describe('output', () => {
  it('lines columns up with two blanks between them, and leaves no blanks at the end', () => {
    expect(
      formatTable(
        ['NAME', 'STATUS', 'X'],
        [
          ['a', 'RUNNING', ''],
          ['longer', 'P', '1'],
        ],
      ),
    ).toBe(['NAME    STATUS   X', 'a       RUNNING', 'longer  P        1'].join('\n'))
  })

  it('counts wide characters as the terminal does', () => {
    expect(
      formatTable(
        ['A', 'B'],
        [
          ['数据', 'x'],
          ['abcd', 'y'],
        ],
      ),
    ).toBe('A     B\n数据  x\nabcd  y')
  })

  it('lines values up', () => {
    expect(
      formatFields([
        ['Name', 'a'],
        ['CreateTime', 'b'],
        ['EndTime', ''],
      ]),
    ).toBe('Name:        a\nCreateTime:  b\nEndTime:')
  })

  it('indents JSON by four, and writes YAML', async () => {
    expect(await formatData([{ a: 'true' }], 'json')).toBe('[\n    {\n        "a": "true"\n    }\n]')
    expect(await formatData([{ a: 'true' }], 'yaml')).toBe("- a: 'true'")
  })
})

import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'e2e/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Tests start servers and processes of their own; more workers than cores only makes them wait for each other.
    maxWorkers: 2,
    pool: 'forks',
  },
})

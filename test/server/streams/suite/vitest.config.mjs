/** The suite is one file, and vitest would look for others. */
export default { test: { include: ['official.mjs'], fileParallelism: false } }

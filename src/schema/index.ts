/** What a valibot schema expects, as data and in words. */
export { describeExpected, isMissing, issuesInside, isUnknown, pathOf } from './explain-issue.ts'
export { branchesOf, keysOf, type SchemaNode, schemaAt } from './inspect.ts'

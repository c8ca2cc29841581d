/** Reads valibot schemas: looks up what they contain, and describes in words what they expect. */
export { closestName } from './did-you-mean.ts'
export { branchIssues, describeExpected, isMissing, isUnknown, pathOf } from './explain-issue.ts'
export { branchesOf, keysOf, type SchemaNode, schemaAt } from './inspect.ts'

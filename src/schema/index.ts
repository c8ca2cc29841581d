/** Reads valibot schemas: looks up what they contain, and describes in words what they expect. */
export { allowedAt } from './allowed.ts'
export { matches, outputOf, read } from './compile.ts'
export { closestName, hasLettersOf, namesLike } from './did-you-mean.ts'
export { branchIssues, describeExpected, isMissing, isUnknown, pathOf, pathsOf } from './explain-issue.ts'
export { branchesOf, keysOf, type SchemaNode, schemaAt } from './inspect.ts'
export type { Finding } from './read-with-valibot.ts'

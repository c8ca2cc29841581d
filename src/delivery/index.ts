/** Accepted events on their way to the upstream. */
export { deliver } from './deliver.ts'

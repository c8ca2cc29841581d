/** Builds the files of the playground into dist/playground/, where the program looks for them: `npm run build:playground`. */
import { fileURLToPath } from 'node:url'
import { bundlePlayground } from './playground-bundle.ts'

await bundlePlayground(fileURLToPath(new URL('../dist/playground', import.meta.url)))

/** The State of one Node process. */
import { createState } from '../src/node/memory-state.ts'
import { stateSuite } from './state-suite.ts'

stateSuite('Node', createState)

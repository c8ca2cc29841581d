import { testAdapter } from '../../test/adapter.ts'
import { canonical } from './index.ts'

testAdapter(canonical, { fixtures: new URL('./fixtures/', import.meta.url) })

/** Sealed texts on Workers. */
import { webCrypto } from '../../src/worker/web-crypto.ts'
import { sealsAlike } from '../sealed.ts'

sealsAlike(webCrypto)

/** Signatures on Workers. */
import { webCrypto } from '../../src/worker/web-crypto.ts'
import { signAlike } from '../hmac.ts'

signAlike(webCrypto)

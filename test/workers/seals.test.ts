/** Sealed texts on Workers, by Web Crypto. */
import { webCipher, webCrypto } from '../../src/worker/web-crypto.ts'
import { sealsAlike } from '../sealed.ts'

sealsAlike({ cipher: webCipher, crypto: webCrypto })

/** The gateway on Node: `import { serve } from 'dragoman/node'`. */
export { OutboxError } from './outbox/outbox-error.ts'
export { DatabaseUnusable } from './postgres/database-unusable.ts'
export { type Gateway, type ServeOptions, serve } from './serve.ts'
export { SocketUnusable } from './socket-activation.ts'

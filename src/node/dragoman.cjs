#!/usr/bin/env node
/** The command `dragoman`. In CommonJS and in the syntax of Node 12, so that an old Node can say that it is too old. */
'use strict'

require('./require-node.cjs')
import('./main.ts')

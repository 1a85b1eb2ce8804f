// `node:util/types`, which the plugin that brings Node's modules to a page leaves out: what drivers use of it.

/** @param {unknown} value */
export const isDate = (value) => value instanceof Date;

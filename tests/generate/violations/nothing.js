/** The least that can be exported: a class that does nothing. */

export class Socket {}

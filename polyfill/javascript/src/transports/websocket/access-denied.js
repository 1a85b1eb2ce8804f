/** The code of a failure by which the core knows that it was not the network: something did not allow it. */
export const accessDenied = "ERR_ACCESS_DENIED";

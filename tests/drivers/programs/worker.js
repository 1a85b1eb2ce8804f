// For workerd: a worker that does the work with the settings that a request brings.
import { run } from "driver";

export default {
  /** @param {Request} request */
  async fetch(request) {
    return Response.json(await run(await request.json()));
  },
};

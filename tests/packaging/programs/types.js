import { Socket } from "commonsocket";

console.log(Socket.supportedTypes.join());

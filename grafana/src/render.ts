import { boards } from "../boards/boards.ts";
import { buildBoard } from "./board.ts";

/** Where browsers find Tocsin in the set-ups that this repository ships. */
export const TOCSIN_URL = "http://127.0.0.1:9400";

/** Files of JSON by name. */
export function renderBoards(tocsinUrl: string = TOCSIN_URL): Map<string, string> {
  return new Map(
    boards.map((board) => [`${board.name}.json`, `${JSON.stringify(buildBoard(board, tocsinUrl), null, 2)}\n`]),
  );
}

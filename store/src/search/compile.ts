import { fieldPredicate, textPredicate, type AttributeValue, type Query } from "@tocsin/model";
import type { BlockView } from "../blocks/block.ts";
import type { Column } from "../blocks/columns.ts";

/** One byte per record of a block: 1 where it is (still) in. */
export type Mask = Uint8Array;

/** Narrows a mask to the records that satisfy a query. The mask given is left as it is. */
export type Filter = (block: BlockView, within: Mask) => Mask;

/** Compiles a query to run over blocks column by column; predicates are built once, values of a dictionary tested once. */
export function compileQuery(query: Query): Filter {
  switch (query.op) {
    case "all":
      return (_, within) => within;
    case "and": {
      const parts = query.parts.toSorted((a, b) => cost(a) - cost(b)).map(compileQuery);
      return (block, within) => parts.reduce((mask, part) => (isEmpty(mask) ? mask : part(block, mask)), within);
    }
    case "or": {
      const parts = query.parts.map(compileQuery);
      return (block, within) => {
        const union = new Uint8Array(within.length);
        for (const part of parts) part(block, within).forEach((bit, i) => (union[i] = (union[i] as number) | bit));
        return union;
      };
    }
    case "not": {
      const part = compileQuery(query.part);
      return (block, within) => {
        const out = part(block, within);
        return within.map((bit, i) => bit & ~(out[i] as number));
      };
    }
    case "text": {
      const matches = textPredicate(query.test);
      return (block, within) => within.map((bit, i) => (bit === 1 && matches(block.text(i)) ? 1 : 0));
    }
    case "field": {
      const { field } = query;
      const matches = fieldPredicate(query.test);
      return (block, within) => {
        const mask = new Uint8Array(within.length);
        for (const column of block.columns(field)) addColumn(mask, within, column, matches);
        return mask;
      };
    }
  }
}

export function isEmpty(mask: Mask): boolean {
  return !mask.includes(1);
}

function addColumn(mask: Mask, within: Mask, column: Column, matches: (value: AttributeValue) => boolean): void {
  switch (column.kind) {
    case "dict": {
      const { rows } = column;
      const hits = column.dict.map(matches);
      if (!hits.includes(true)) return;
      for (let i = 0; i < mask.length; i++) {
        if (within[i] === 1 && hits[(rows[i] as number) - 1] === true) mask[i] = 1;
      }
      return;
    }
    case "sparse": {
      const hits = column.dict.map(matches);
      column.rows.forEach((row, k) => {
        if (within[row] === 1 && hits[column.values[k] as number] === true) mask[row] = 1;
      });
      return;
    }
    case "numbers":
      for (let i = 0; i < mask.length; i++) {
        if (within[i] === 1 && matches(column.values[i] as number)) mask[i] = 1;
      }
      return;
    case "texts":
      for (let i = 0; i < mask.length; i++) {
        if (within[i] !== 1) continue;
        const text = column.at(i);
        if (text !== "" && matches(text)) mask[i] = 1;
      }
  }
}

/** Rough order of effort: columns that are read anyway, then attributes, then texts. */
function cost(query: Query): number {
  switch (query.op) {
    case "all":
      return 0;
    case "field":
      return query.field.in !== "known" ? 2 : 1;
    case "text":
      return 4;
    case "not":
      return cost(query.part);
    case "and":
    case "or":
      return 1 + Math.max(...query.parts.map(cost));
  }
}

import type { AttributeValue, Resource, Scope } from "@tocsin/model";
import type { ByteReader, ByteWriter } from "./bytes.ts";
import { decodeValue, Dictionary, encodeValue, readIndexes, writeIndexes, type DictColumn } from "./columns.ts";

/** Where the records of a block come from: resources and scopes, each kept once. */
export class OriginBuilder {
  readonly resources = new Dictionary<string>((json) => json);
  readonly scopes = new Dictionary<string>((json) => json);
  readonly #json = new Map<object, string>();
  readonly #resourceRows: number[] = [];
  readonly #scopeRows: number[] = [];

  add(resource: Resource, scope: Scope): void {
    this.#resourceRows.push(this.resources.add(this.#encode(resource, resource.attributes)));
    this.#scopeRows.push(
      this.scopes.add(this.#encode(scope, { name: scope.name, version: scope.version, attributes: scope.attributes })),
    );
  }

  write(writer: ByteWriter): void {
    writer.text(JSON.stringify(this.resources.values));
    writer.text(JSON.stringify(this.scopes.values));
    writeIndexes(writer, this.#resourceRows);
    writeIndexes(writer, this.#scopeRows);
  }

  /** Records that came together share these objects, so each is turned to JSON once. */
  #encode(shared: object, value: AttributeValue): string {
    const known = this.#json.get(shared);
    if (known !== undefined) return known;
    const json = encodeValue(value);
    this.#json.set(shared, json);
    return json;
  }
}

export class Origin {
  readonly resources: Resource[];
  readonly scopes: Scope[];
  readonly resourceRows: Uint32Array;
  readonly scopeRows: Uint32Array;
  readonly #columns = new Map<string, DictColumn>();

  constructor(reader: ByteReader, n: number) {
    this.resources = (JSON.parse(reader.text()) as string[]).map((json) => ({
      attributes: decodeValue(json) as Resource["attributes"],
    }));
    this.scopes = (JSON.parse(reader.text()) as string[]).map((json) => decodeValue(json) as unknown as Scope);
    this.resourceRows = readIndexes(reader, n);
    this.scopeRows = readIndexes(reader, n);
  }

  resource(row: number): Resource {
    return this.resources[this.resourceRows[row] as number] as Resource;
  }

  scope(row: number): Scope {
    return this.scopes[this.scopeRows[row] as number] as Scope;
  }

  /** A resource attribute as a column. */
  column(key: string): DictColumn {
    const known = this.#columns.get(key);
    if (known) return known;
    const dict: AttributeValue[] = [];
    const position = this.resources.map(({ attributes }) => {
      const value = Object.hasOwn(attributes, key) ? attributes[key] : undefined;
      return value === undefined ? 0 : dict.push(value);
    });
    const column: DictColumn = { kind: "dict", dict, rows: this.resourceRows.map((row) => position[row] as number) };
    this.#columns.set(key, column);
    return column;
  }
}

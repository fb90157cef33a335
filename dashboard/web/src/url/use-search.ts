import { useCallback, useMemo } from "react";
import { useNavigate, useSearchParams } from "react-router";
import type { z } from "zod";
import { linkTo, readSearch, writeSearch } from "./search.ts";

/** The page's own search parameters, and a way to change some of them. `push` makes a step one can go back from. */
export function useSearch<S extends z.ZodObject>(
  schema: S,
): [z.infer<S>, (patch: Partial<z.infer<S>>, how?: "push" | "replace") => void] {
  const [params, setParams] = useSearchParams();
  const value = useMemo(() => readSearch(schema, params), [schema, params]);
  const change = useCallback(
    (patch: Partial<z.infer<S>>, how: "push" | "replace" = "replace") =>
      setParams((current) => writeSearch(schema, current, patch), { replace: how === "replace" }),
    [schema, setParams],
  );
  return [value, change];
}

/** Makes links to other pages that carry range, zone and pause along. */
export function useLink(): (path: string, own?: Record<string, string | undefined>) => string {
  const [params] = useSearchParams();
  return useCallback((path, own) => linkTo(path, params, own), [params]);
}

/** Goes to a page, with range, zone and pause carried along. */
export function useGo(): (path: string, own?: Record<string, string | undefined>) => void {
  const navigate = useNavigate();
  const link = useLink();
  return useCallback((path, own) => void navigate(link(path, own)), [navigate, link]);
}

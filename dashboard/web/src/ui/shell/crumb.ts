import { createContext, useContext, useEffect } from "react";

/** Where a page about one thing says what that thing is called, for the breadcrumb and the tab's title. */
export const CrumbContext = createContext<(title: string | undefined) => void>(() => {});

/** Names the thing the page is about; until it is known the address does. */
export function useCrumb(title: string | undefined): void {
  const setCrumb = useContext(CrumbContext);
  useEffect(() => {
    setCrumb(title);
    return () => setCrumb(undefined);
  }, [setCrumb, title]);
}

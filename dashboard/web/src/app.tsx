import { localStorageColorSchemeManager, MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createBrowserRouter, type RouteObject } from "react-router";
import { RouterProvider } from "react-router/dom";
import { ApiError } from "./api/client.ts";
import { styleNonce } from "./nonce.ts";
import { pages } from "./pages.ts";
import { cssVariables, theme } from "./theme.ts";
import { SkeletonRows } from "./ui/panel.tsx";
import { NotFound, PageCrash } from "./ui/shell/fallbacks.tsx";
import { Shell } from "./ui/shell/shell.tsx";

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2000,
      // What the server refused stays refused; only an absent server is worth another try.
      retry: (failures, error) => failures < 2 && (!(error instanceof ApiError) || error.status >= 502),
      refetchOnWindowFocus: true,
    },
  },
});

const routes: RouteObject[] = [
  {
    Component: Shell,
    ErrorBoundary: PageCrash,
    HydrateFallback: SkeletonRows,
    children: [
      ...pages.map(({ path, load }) => ({ path, lazy: load, ErrorBoundary: PageCrash })),
      { path: "*", Component: NotFound },
    ],
  },
];

const router = createBrowserRouter(routes);
const colorScheme = localStorageColorSchemeManager({ key: "tocsin.theme" });

export function App() {
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      colorSchemeManager={colorScheme}
      defaultColorScheme="auto"
      getStyleNonce={() => styleNonce() ?? ""}
    >
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  );
}

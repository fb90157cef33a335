#!/bin/sh
# Puts what the image runs into the folder given: compiled packages, the built dashboard, rules and the demo's routes.
set -eu
out=$1
mkdir -p "$out"
for package in model platform gotemplate promql bus store sdk collector alerting dashboard/server cli \
  sample-apps/chassis sample-apps/api sample-apps/sms sample-apps/rate-limiter sample-apps/load; do
  mkdir -p "$out/$package"
  cp "$package/package.json" "$out/$package/"
  cp -R "$package/dist" "$out/$package/dist"
  find "$out/$package/dist" \( -name '*.d.ts' -o -name '*.d.ts.map' -o -name '*.js.map' -o -name '.tsbuildinfo' \) -delete
done
mkdir -p "$out/dashboard/web" "$out/cli/bin" "$out/prometheus" "$out/deploy"
cp -R dashboard/web/dist "$out/dashboard/web/dist"
cp cli/bin/tocsin.js "$out/cli/bin/"
cp -R prometheus/rules prometheus/runbooks.md "$out/prometheus/"
cp alerting/alertmanager.yml "$out/alerting/"
cp deploy/healthcheck.mjs "$out/deploy/"
cp package.json LICENSE "$out/"

#!/bin/sh
# Make a release: deploy/release.sh VERSION, from a clean checkout of the branch that is released.
#
# Dates the changelog, sets the version wherever it stands, commits and tags that, and builds
# wheel, source and their list of packages into dist/, and the image where there is an engine.
# Nothing is published: it prints what to do for that.
set -eu
cd "$(dirname "$0")/.."

fail() { echo "$*" >&2; exit 1; }

version=${1:-}
echo "$version" | grep -Eqx '[0-9]+\.[0-9]+\.[0-9]+' || fail "Usage: deploy/release.sh 1.2.3"
[ -z "$(git status --porcelain)" ] || fail "The checkout has changes. Commit or stash them first."
! git rev-parse --quiet --verify "refs/tags/v$version" >/dev/null || fail "There is a tag v$version."

# What stands between "Unreleased" and the next heading of that rank.
entries=$(awk '/^## /{inside = /^## \[Unreleased\]/; next} inside && /^- /' CHANGELOG.md)
[ -n "$entries" ] || fail "CHANGELOG.md has nothing under Unreleased."

old=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' runagents/__init__.py)
[ -n "$old" ] || fail "runagents/__init__.py has no version."
newest=$(printf '%s\n%s\n' "$old" "$version" | sort -V | tail -1)
[ "$newest" = "$version" ] || fail "$version comes before $old, which is the version now."

replace() { # FILE EXPRESSION
    sed "$2" "$1" >"$1.new" && cat "$1.new" >"$1" && rm "$1.new"
}
replace CHANGELOG.md "s/^## \[Unreleased\]\$/## [Unreleased]\\
\\
## [$version] - $(date -u +%Y-%m-%d)/"
replace runagents/__init__.py "s/^__version__ = .*/__version__ = \"$version\"/"
for file in $(grep -rl 'image: runagents-model-providers' compose.yaml deploy); do
    replace "$file" "s/\(image: runagents-model-providers\):[0-9][0-9.]*\$/\1:$version/"
done

git add CHANGELOG.md runagents/__init__.py compose.yaml deploy
git commit --quiet --message "Release $version"
git tag --annotate "v$version" --message "Version $version"

rm -rf dist
make --no-print-directory packages
image="an image of it, which no engine here could build,"
for engine in docker podman; do
    # A client without its daemon would end the release here, which is tagged by now.
    $engine info >/dev/null 2>&1 || continue
    $engine build --tag "runagents-model-providers:$version" .
    image="the image runagents-model-providers:$version"
    break
done

echo "Version $version is committed and tagged. To publish it:"
echo "  git push --follow-tags"
echo "  python -m twine upload dist/*.whl dist/*.tar.gz"
echo "  and $image to your registry"

# The jars of Apache Tika's parsers, from Maven Central. Source it after lib.sh.

# tika_jars: fetch them once, and set TIKA_JARS to their folder.
tika_jars() {
  TIKA_VERSION=$(sed -nE 's:.*<tika.version>(.*)</tika.version>.*:\1:p' "$SERVICES/tika/pom.xml")
  TIKA_JARS=$CACHE_DIR/tika-$TIKA_VERSION-$(sha256sum "$SERVICES/tika/pom.xml" | cut -c1-16)
  [ -e "$TIKA_JARS" ] || need mvn maven
  once tika fetch_tika || die "$NAME: maven could not fetch what $SERVICES/tika/pom.xml names"
}

fetch_tika() {
  [ ! -e "$TIKA_JARS" ] || return 0
  log "fetching the jars of Apache Tika $TIKA_VERSION (once)"
  rm -rf "$TIKA_JARS.new"
  mvn -B -q -Dstyle.color=never -f "$SERVICES/tika/pom.xml" dependency:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$TIKA_JARS.new" >&2 && mv "$TIKA_JARS.new" "$TIKA_JARS"
}

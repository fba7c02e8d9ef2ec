# Starts an Elasticsearch node from the jars that are published on Maven Central. Source it after lib.sh.

NODE=$SERVICES/elasticsearch
. "$SERVICES/tika/jars.sh"
V9=9.5.3 V8=8.19.9 # the versions that src, v8 and v9 were tried with

# jdk LEAST: the folder of a JDK. JAVA_HOME if it is new enough, otherwise the oldest that is.
jdk() {
  local home version
  for home in "${JAVA_HOME:-}" /usr/lib/jvm/* "$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")")"; do
    [ -n "$home" ] && [ -x "$home/bin/javac" ] || continue
    version=$("$home/bin/javac" -version 2>&1 | sed -E 's/^javac ([0-9]+).*/\1/')
    [ "$version" -ge "$1" ] 2>/dev/null || continue
    [ "$home" != "${JAVA_HOME:-}" ] || version=0
    printf '%s %s\n' "$version" "$home"
  done | sort -n | sed -n '1s/^[0-9]* //p' | grep .
}

# fetch FOLDER VERSION: copy the jars there.
fetch() {
  [ ! -e "$1" ] || return 0
  log "fetching the jars of Elasticsearch $2 (once)"
  rm -rf "$1.new"
  mvn -B -q -Dstyle.color=never -f "$NODE/pom.xml" -Des.version="$2" dependency:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$1.new" >&2 && mv "$1.new" "$1"
}

# compile FOLDER JARS RELEASE SOURCES...: compile the launcher and the stand-ins there, for that release of Java.
compile() {
  local to=$1 jars=$2 release=$3
  shift 3
  [ ! -e "$to" ] || return 0
  rm -rf "$to.new"
  mkdir -p "$to.new"
  find "$@" -name '*.java' -print0 |
    xargs -0 "$JDK/bin/javac" --release "$release" -nowarn -Xlint:-options -cp "$jars/*:$TIKA_JARS/*" -d "$to.new" && mv "$to.new" "$to"
}

# start_node VERSION HEAP [OPTION...]: start a node. The options are Java's.
start_node() {
  local version=$1 heap=$2 java=21 jars classes sum sources
  shift 2
  sources=("$NODE/src" "$NODE/v${version%%.*}")
  [ "${version%%.*}" != 8 ] || java=17
  JDK=$(jdk "$java") || die "$NAME needs a JDK of $java or later; set JAVA_HOME, or $ADDRESS to your own server"
  export JAVA_HOME=$JDK
  need curl curl
  jars=$CACHE_DIR/elasticsearch-$version
  [ -e "$jars" ] || need mvn maven
  once elasticsearch fetch "$jars" "$version" || die "$NAME: maven could not fetch the jars"
  tika_jars
  sum=$(find "${sources[@]}" -name '*.java' | LC_ALL=C sort | xargs cat | sha256sum | cut -c1-16)
  classes=$CACHE_DIR/elasticsearch-$version-launcher-$sum
  once elasticsearch compile "$classes" "$jars" "$java" "${sources[@]}" || die "$NAME: the launcher does not compile"

  mkdir -p "$RUN/config" "$RUN/logs" "$RUN/tmp"
  cat >"$RUN/config/log4j2.properties" <<'CONF'
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}] %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
CONF
  cd "$RUN"
  start "$JDK/bin/java" "-Xms$heap" "-Xmx$heap" -XX:MaxDirectMemorySize=512m -XX:+UseG1GC -XX:-HeapDumpOnOutOfMemoryError \
    -Djava.io.tmpdir="$RUN/tmp" -Dio.netty.noUnsafe=true -Dio.netty.noKeySetOptimization=true \
    -Dio.netty.recycler.maxCapacityPerThread=0 -Dlog4j2.disable.jmx=true -Dlog4j.shutdownHookEnabled=false \
    --add-modules jdk.incubator.vector --enable-native-access=ALL-UNNAMED \
    -Des.launcher.version="$version" "$@" \
    '-Des.launcher.plugins=launcher.Http,launcher.Extras,launcher.Extras$Painless,launcher.Extras$Mustache,org.elasticsearch.xpack.launcher.Gate' \
    -cp "$classes:$jars/*:$TIKA_JARS/*" org.elasticsearch.node.Launcher "$RUN" \
    http.port="$PORT" transport.port="$((PORT + 100))" path.data="$RUN/data" path.logs="$RUN/logs" \
    cluster.routing.allocation.disk.threshold_enabled=false
}

# healthy URL [OPTION...]: does the node answer? The options are curl's.
healthy() {
  local url=$1
  shift
  curl -fsS "$@" "$url/_cluster/health?wait_for_status=yellow&timeout=5s"
}

# Starts an Elasticsearch node from the jars that are published on Maven Central. Source it behind lib.sh.

NODE=$SERVICES/elasticsearch
HEAP=${TEST_ELASTICSEARCH_HEAP:-1g}

# jdk: the folder of a JDK of 21 or later, which Elasticsearch 9 needs.
jdk() {
  local home version
  for home in "${JAVA_HOME:-}" /usr/lib/jvm/* "$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")")"; do
    [ -n "$home" ] && [ -x "$home/bin/javac" ] || continue
    version=$("$home/bin/javac" -version 2>&1 | sed -E 's/^javac ([0-9]+).*/\1/')
    [ "$version" -ge 21 ] 2>/dev/null && { printf '%s\n' "$home"; return; }
  done
  return 1
}

# fetch FOLDER: copy the jars there.
fetch() {
  [ ! -e "$1" ] || return 0
  log "fetching the jars of Elasticsearch (once)"
  rm -rf "$1.new"
  mvn -B -q -Dstyle.color=never -f "$NODE/pom.xml" dependency:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$1.new" >&2 && mv "$1.new" "$1"
}

# compile FOLDER JARS: compile the launcher and the stand-ins there.
compile() {
  [ ! -e "$1" ] || return 0
  rm -rf "$1.new"
  mkdir -p "$1.new"
  find "$NODE/src" -name '*.java' -print0 | xargs -0 "$JDK/bin/javac" -nowarn -Xlint:-options -cp "$2/*" -d "$1.new" &&
    mv "$1.new" "$1"
}

# start_node [OPTION...]: start it and wait until it answers. The options are Java's.
start_node() {
  local version jars classes sum
  JDK=$(jdk) || die "$NAME needs a JDK of 21 or later; set JAVA_HOME, or $ADDRESS to a server of your own"
  export JAVA_HOME=$JDK
  need curl curl
  version=$(sed -nE 's:.*<es.version>(.*)</es.version>.*:\1:p' "$NODE/pom.xml")
  jars=$CACHE_DIR/elasticsearch-$version
  [ -e "$jars" ] || need mvn maven
  once elasticsearch fetch "$jars" || die "$NAME: maven could not fetch the jars"
  sum=$(find "$NODE/src" -name '*.java' | LC_ALL=C sort | xargs cat | sha256sum | cut -c1-16)
  classes=$CACHE_DIR/elasticsearch-$version-launcher-$sum
  once elasticsearch compile "$classes" "$jars" || die "$NAME: the launcher does not compile"

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
  start "$JDK/bin/java" "-Xms$HEAP" "-Xmx$HEAP" -XX:MaxDirectMemorySize=512m -XX:+UseG1GC -XX:-HeapDumpOnOutOfMemoryError \
    -Djava.io.tmpdir="$RUN/tmp" -Dio.netty.noUnsafe=true -Dio.netty.noKeySetOptimization=true \
    -Dio.netty.recycler.maxCapacityPerThread=0 -Dlog4j2.disable.jmx=true -Dlog4j.shutdownHookEnabled=false \
    --add-modules jdk.incubator.vector --enable-native-access=ALL-UNNAMED \
    -Des.launcher.version="$version" "$@" \
    '-Des.launcher.plugins=launcher.Http,launcher.Extras,launcher.Extras$Painless,launcher.Extras$Mustache,org.elasticsearch.xpack.launcher.Gate' \
    -cp "$classes:$jars/*" org.elasticsearch.node.Launcher "$RUN" \
    http.port="$PORT" transport.port="$((PORT + 100))" path.data="$RUN/data" path.logs="$RUN/logs" \
    cluster.routing.allocation.disk.threshold_enabled=false
}

# healthy URL [OPTION...]: does the node answer? The options are curl's.
healthy() {
  local url=$1
  shift
  curl -fsS "$@" "$url/_cluster/health?wait_for_status=yellow&timeout=5s"
}

package launcher;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.BiPredicate;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.apache.lucene.search.TotalHits;
import org.elasticsearch.cluster.node.DiscoveryNodes;
import org.elasticsearch.features.NodeFeature;
import org.elasticsearch.ingest.IngestDocument;
import org.elasticsearch.ingest.Processor;
import org.elasticsearch.ingest.ValueSource;
import org.elasticsearch.plugins.ActionPlugin;
import org.elasticsearch.plugins.Plugin;
import org.elasticsearch.plugins.PluginDescriptor;
import org.elasticsearch.rest.RestHandler;
import org.elasticsearch.script.IngestConditionalScript;

/** The calls that differ between major versions, for 9.x. ../v8 has the same methods. */
public final class Compat {
    private Compat() {}

    public static PluginDescriptor descriptor(String name, String className, String version, String java) {
        return new PluginDescriptor(
            name, "from the class path", "NA", version, java, className, null, List.of(), false, false, false, false, null);
    }

    abstract static class Rest extends Plugin implements ActionPlugin {
        abstract Collection<RestHandler> handlers();

        @Override
        public Collection<RestHandler> getRestHandlers(RestHandlersServices s, Supplier<DiscoveryNodes> n, Predicate<NodeFeature> f) {
            return handlers();
        }
    }

    static Processor.Factory factory(IngestExtras.Make m) {
        return (all, tag, description, config, project) -> m.make(tag, description, config);
    }

    static void append(IngestDocument d, String field, ValueSource value, boolean duplicates) {
        d.appendFieldValue(field, value, duplicates, false);
    }

    /** A condition from a test of (params, ctx). */
    static IngestConditionalScript.Factory condition(BiPredicate<Map<String, Object>, Map<String, Object>> test) {
        return (params, ctx) -> new IngestConditionalScript(params, ctx) {
            @Override
            public boolean execute() {
                return test.test(getParams(), getCtx());
            }
        };
    }

    static long value(TotalHits t) {
        return t.value();
    }
}

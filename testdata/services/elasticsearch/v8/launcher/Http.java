package launcher;

import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import javax.net.ssl.SSLEngine;
import org.elasticsearch.common.network.NetworkService;
import org.elasticsearch.common.settings.ClusterSettings;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.common.ssl.EmptyKeyConfig;
import org.elasticsearch.common.ssl.SslClientAuthenticationMode;
import org.elasticsearch.common.ssl.SslConfiguration;
import org.elasticsearch.common.ssl.SslVerificationMode;
import org.elasticsearch.common.ssl.TrustEverythingConfig;
import org.elasticsearch.common.util.BigArrays;
import org.elasticsearch.common.util.PageCacheRecycler;
import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.elasticsearch.http.HttpPreRequest;
import org.elasticsearch.http.HttpServerTransport;
import org.elasticsearch.http.netty4.Netty4HttpServerTransport;
import org.elasticsearch.indices.breaker.CircuitBreakerService;
import org.elasticsearch.rest.RestRequest;
import org.elasticsearch.telemetry.tracing.Tracer;
import org.elasticsearch.threadpool.ThreadPool;
import org.elasticsearch.transport.netty4.Netty4Plugin;
import org.elasticsearch.transport.netty4.SharedGroupFactory;
import org.elasticsearch.transport.netty4.TLSConfig;
import org.elasticsearch.xcontent.NamedXContentRegistry;

/** The published HTTP transport; with es.launcher.keystore (PKCS12) set, it listens with TLS. For 8.x. */
public final class Http extends Netty4Plugin {
    @Override
    public Map<String, Supplier<HttpServerTransport>> getHttpTransports(
        Settings s, ThreadPool pool, BigArrays arrays, PageCacheRecycler recycler, CircuitBreakerService breaker,
        NamedXContentRegistry registry, NetworkService network, HttpServerTransport.Dispatcher dispatcher,
        BiConsumer<HttpPreRequest, ThreadContext> perRequest, ClusterSettings cs, Tracer tracer
    ) {
        Supplier<SSLEngine> engines = Tls.engines();
        if (engines == null) {
            return super.getHttpTransports(s, pool, arrays, recycler, breaker, registry, network, dispatcher, perRequest, cs, tracer);
        }
        // Any configuration turns TLS on. Its content is not used, because the engine comes from here.
        SslConfiguration any = new SslConfiguration("http", true, TrustEverythingConfig.TRUST_EVERYTHING, EmptyKeyConfig.INSTANCE,
            SslVerificationMode.NONE, SslClientAuthenticationMode.NONE, List.of("any"), List.of("any"));
        TLSConfig tls = new TLSConfig(any, (configuration, host, port) -> engines.get());
        return Map.of("netty4", () -> new Netty4HttpServerTransport(
            s, network, pool, registry, dispatcher, cs, new SharedGroupFactory(s), tracer, tls, null, null) {
            @Override
            protected void populatePerRequestThreadContext(RestRequest q, ThreadContext t) {
                perRequest.accept(q.getHttpRequest(), t);
            }
        });
    }
}

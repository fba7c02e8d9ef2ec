package launcher;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.function.Supplier;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;

/** TLS of the HTTP transport, from the PKCS12 file that es.launcher.keystore names. */
final class Tls {
    private Tls() {}

    /** Makes engines for the server's side; null without TLS. */
    static Supplier<SSLEngine> engines() {
        String store = System.getProperty("es.launcher.keystore", "");
        if (store.isEmpty()) return null;
        try (InputStream in = Files.newInputStream(Path.of(store))) {
            char[] pass = System.getProperty("es.launcher.keystore.password", "changeit").toCharArray();
            KeyStore ks = KeyStore.getInstance("PKCS12");
            ks.load(in, pass);
            KeyManagerFactory kmf = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            kmf.init(ks, pass);
            SSLContext ctx = SSLContext.getInstance("TLS");
            ctx.init(kmf.getKeyManagers(), null, null);
            return () -> {
                SSLEngine e = ctx.createSSLEngine();
                e.setUseClientMode(false);
                return e;
            };
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}

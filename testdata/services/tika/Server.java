import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executors;
import org.apache.tika.Tika;
import org.apache.tika.exception.TikaException;
import org.apache.tika.io.TikaInputStream;
import org.apache.tika.metadata.Metadata;
import org.apache.tika.metadata.TikaCoreProperties;
import org.apache.tika.parser.AutoDetectParser;
import org.apache.tika.parser.ParseContext;
import org.apache.tika.sax.BodyContentHandler;

/**
 * Apache Tika's parsers over HTTP, with the addresses and status codes of Tika's own server: GET /tika and
 * GET /version greet, PUT /tika answers text/plain as it is made, 422 what no parser can read, 406 where
 * another type is wanted. https://cwiki.apache.org/confluence/display/TIKA/TikaServer
 */
public class Server {
    private static final AutoDetectParser PARSER = new AutoDetectParser();

    public static void main(String[] args) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(args[0], Integer.parseInt(args[1])), 0);
        server.setExecutor(Executors.newFixedThreadPool(4));
        server.createContext("/version", e -> say(e, 200, Tika.getString()));
        server.createContext("/tika", Server::tika);
        server.createContext("/", e -> say(e, 404, ""));
        server.start();
    }

    private static void tika(HttpExchange e) throws IOException {
        if (e.getRequestURI().getPath().equals("/tika") == false) {
            say(e, 404, "");
        } else if (e.getRequestMethod().equals("GET")) {
            say(e, 200, "This is Tika Server (" + Tika.getString() + "). Please PUT\n");
        } else if (e.getRequestMethod().equals("PUT") == false) {
            say(e, 405, "");
        } else if (accepts(e.getRequestHeaders().getFirst("Accept")) == false) {
            say(e, 406, "");
        } else {
            text(e);
        }
    }

    private static boolean accepts(String accept) {
        return accept == null || accept.contains("text/plain") || accept.contains("*/*");
    }

    /** Answers the text as it is made. A failure after the first of it cuts the answer, as Tika's server does. */
    private static void text(HttpExchange e) throws IOException {
        Answer answer = new Answer(e);
        Metadata metadata = new Metadata();
        String disposition = e.getRequestHeaders().getFirst("Content-Disposition");
        if (disposition != null && disposition.contains("filename=")) {
            metadata.set(TikaCoreProperties.RESOURCE_NAME_KEY, disposition.replaceAll(".*filename=\"?([^\";]*).*", "$1"));
        }
        try (InputStream body = TikaInputStream.get(e.getRequestBody())) {
            Writer writer = new OutputStreamWriter(answer, StandardCharsets.UTF_8);
            PARSER.parse(body, new BodyContentHandler(writer), metadata, new ParseContext());
            writer.flush();
            answer.begin();
            e.close();
        } catch (TikaException | IllegalStateException x) {
            fail(answer, e, 422, x);
        } catch (Exception x) {
            fail(answer, e, 500, x);
        }
    }

    private static void fail(Answer answer, HttpExchange e, int status, Exception x) throws IOException {
        System.err.println(status + " " + x);
        if (answer.out == null) {
            say(e, status, "");
        } else {
            throw new IOException(x); // without the last chunk, so that it shows
        }
    }

    private static void say(HttpExchange e, int status, String text) throws IOException {
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        e.getResponseHeaders().set("Content-Type", "text/plain;charset=UTF-8");
        e.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        if (body.length > 0) e.getResponseBody().write(body);
        e.close();
    }

    /** The body of a 200, which begins with the first text. */
    private static final class Answer extends OutputStream {
        private final HttpExchange exchange;
        private OutputStream out;

        Answer(HttpExchange exchange) { this.exchange = exchange; }

        void begin() throws IOException {
            if (out != null) return;
            exchange.getResponseHeaders().set("Content-Type", "text/plain;charset=UTF-8");
            exchange.sendResponseHeaders(200, 0);
            out = exchange.getResponseBody();
        }

        @Override public void write(int b) throws IOException { write(new byte[] {(byte) b}, 0, 1); }

        @Override public void write(byte[] b, int from, int n) throws IOException {
            begin();
            out.write(b, from, n);
        }
    }
}

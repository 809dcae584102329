import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Fetches pages from four threads until it is told to stop:
 * Client URL COUNT (a count of 0: no other limit).
 */
public class Client {
  static final AtomicInteger errors = new AtomicInteger();

  static String fetch(String url) throws IOException {
    try (InputStream in = new URL(url).openStream()) {
      return new String(in.readAllBytes());
    }
  }

  static void work(String url, int count) {
    try {
      for (int i = 0; count == 0 || i < count; i++) {
        if (fetch(url + "/next").equals("stop")) return;
        if (!fetch(url + "/index.html").equals("x".repeat(3000))) {
          errors.incrementAndGet();
        }
      }
    } catch (IOException e) {
      System.out.println(e);
      errors.incrementAndGet();
    }
  }

  public static void main(String[] args) throws InterruptedException {
    Thread[] threads = new Thread[4];
    for (int i = 0; i < threads.length; i++) {
      threads[i] = new Thread(() -> work(args[0], Integer.parseInt(args[1])));
      threads[i].start();
    }
    for (Thread thread : threads) thread.join();
    System.out.println("errors: " + errors);
  }
}

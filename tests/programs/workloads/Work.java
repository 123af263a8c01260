// SPDX-License-Identifier: Apache-2.0
// Deterministic work for the JVM: four threads fill and churn collections, and
// native memory comes and goes with direct buffers and deflaters.

import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

public final class Work {
    private static final int THREADS = 4;
    private static final int ROUNDS = 40;
    private static final int MIN_COLLECTIONS = 10;

    public static void main(String[] arguments) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(THREADS);
        List<Callable<String>> tasks = new ArrayList<>();
        for (int seed = 0; seed < THREADS; seed++) {
            final int mine = seed;
            tasks.add(() -> work(mine));
        }
        for (Future<String> result : pool.invokeAll(tasks)) {
            System.out.println(result.get());
        }
        pool.shutdown();
        if (collections() < MIN_COLLECTIONS) {
            throw new IllegalStateException("too few garbage collections: " + collections());
        }
    }

    private static long collections() {
        return ManagementFactory.getGarbageCollectorMXBeans().stream()
            .mapToLong(GarbageCollectorMXBean::getCollectionCount).sum();
    }

    private static String work(int seed) throws Exception {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        Random random = new Random(seed);
        for (int round = 0; round < ROUNDS; round++) {
            byte[] text = words(random).getBytes(StandardCharsets.UTF_8);
            digest.update(unpack(pack(text), text.length));
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static String words(Random random) {
        Map<Integer, List<String>> byLength = new HashMap<>();
        for (int i = 0; i < 20_000; i++) {
            String word = Integer.toString(random.nextInt(), 36);
            byLength.computeIfAbsent(word.length(), length -> new ArrayList<>()).add(word);
        }
        StringBuilder text = new StringBuilder();
        new TreeMap<>(byLength).forEach((length, list) -> {
            list.sort(null);
            text.append(length).append(list);
        });
        return text.toString();
    }

    private static ByteBuffer pack(byte[] text) {
        Deflater deflater = new Deflater();
        deflater.setInput(text);
        deflater.finish();
        ByteBuffer packed = ByteBuffer.allocateDirect(text.length + 64);
        while (!deflater.finished()) {
            deflater.deflate(packed);
        }
        deflater.end();
        return packed.flip();
    }

    private static byte[] unpack(ByteBuffer packed, int length) throws Exception {
        Inflater inflater = new Inflater();
        inflater.setInput(packed);
        byte[] text = new byte[length];
        for (int done = 0; done < length; ) {
            done += inflater.inflate(text, done, length - done);
        }
        inflater.end();
        return text;
    }
}

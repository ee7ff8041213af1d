import java.util.Objects;

/** Cases, what they expect, and how many held. */
final class Check {
    interface Case {
        void run() throws Exception;
    }

    private int passed;
    private int failed;

    static void that(boolean holds, String text) {
        if (!holds) {
            throw new AssertionError(text);
        }
    }

    static void equal(Object wanted, Object got, String what) {
        that(Objects.equals(wanted, got), what + ": wanted " + wanted + ", got " + got);
    }

    void run(String text, Case body) {
        try {
            body.run();
            passed++;
            System.out.println("ok IPF: " + text);
        } catch (AssertionError wrong) {
            failed++;
            System.out.println("not ok IPF: " + text + "\n    " + String.valueOf(wrong.getMessage()).replace("\n", "\n    "));
        } catch (Exception error) { // whatever a library throws at an answer is a failure of the case, not of the run
            failed++;
            System.out.println("not ok IPF: " + text);
            for (Throwable cause = error; cause != null; cause = cause.getCause()) {
                System.out.println("    " + cause.getClass().getSimpleName() + ": " + cause.getMessage());
            }
        }
        System.out.flush();
    }

    int finish() {
        System.out.printf("%d passed, %d failed, 0 skipped%n", passed, failed);
        return failed > 0 || passed == 0 ? 1 : 0;
    }
}

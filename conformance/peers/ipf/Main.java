import java.util.HashMap;
import java.util.Map;
import org.apache.wss4j.common.saml.OpenSAMLUtil;
import org.apache.wss4j.dom.engine.WSSConfig;

/** java Main --name value ...: what each option means is said where ../run starts this. Answers until its input ends. */
public final class Main {
    private Main() {
    }

    public static void main(String[] arguments) throws Exception {
        final Map<String, String> given = new HashMap<>();
        for (int i = 0; i + 1 < arguments.length; i += 2) {
            given.put(arguments[i].substring(2), arguments[i + 1]);
        }
        WSSConfig.init();
        OpenSAMLUtil.initSamlEngine();
        final Stack stack = new Stack("https://127.0.0.1:" + given.get("gateway-port"));
        final Cases cases = new Cases(stack, new Answering(stack, given), given);
        cases.run();
        final int code = cases.finish();
        while (System.in.read() >= 0) {
        }
        stack.camel.stop();
        System.exit(code);
    }
}

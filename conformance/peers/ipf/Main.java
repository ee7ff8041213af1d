import java.util.HashMap;
import java.util.Map;
import org.apache.wss4j.common.saml.OpenSAMLUtil;
import org.apache.wss4j.dom.engine.WSSConfig;

/** java Main --name value ...: what each option means is said where ../run starts this. */
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
        final Check check = new Check();
        final Stack stack = new Stack();
        stack.camel.start();
        final Answering gateway = new Answering(stack, given);
        new Asking(stack, given).run(check);
        new Asked(gateway, given).run(check);
        final Local local = new Local(stack, gateway, given);
        local.run(check);
        new Providing(stack, gateway, local, given).run(check);
        stack.camel.stop();
        System.exit(check.finish());
    }
}

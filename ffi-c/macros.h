/*
 * Initialisers of structs, and short forms of functions.
 */

/** A letter of QoS 1 with the client's default time to live; set `topic` and what else you need. */
#define MQTT_LETTER_INIT \
    { sizeof(mqtt_letter), NULL, NULL, 0, NULL, NULL, 1, false, MQTT_TTL_DEFAULT, MQTT_PRIORITY_NORMAL, \
      MQTT_OVERFLOW_DEFAULT, NULL, -1, -1, NULL, NULL, NULL, 0, NULL, 0 }

/** A subscription of QoS 1. */
#define MQTT_SUBSCRIBE_OPTIONS_INIT { sizeof(mqtt_subscribe_options), 1, false, false, 0, 0, NULL, 0 }

/** A close as `mqtt_client_close` does it with `MQTT_CLOSE_TIMEOUT_DEFAULT`. */
#define MQTT_CLOSE_OPTIONS_INIT \
    { sizeof(mqtt_close_options), MQTT_CLOSE_TIMEOUT_DEFAULT, -1, false, -1, NULL, NULL, 0 }

/** Copies the counters of a client: `mqtt_result mqtt_client_stats(const mqtt_client *client, mqtt_stats *stats)`. */
#define mqtt_client_stats(client, stats) mqtt_client_stats_sized((client), (stats), sizeof(mqtt_stats))

/** The registrations without a `drop`: `mqtt_result mqtt_client_on_message(client, callback, context)`, and so on. */
#define mqtt_client_on_message(client, callback, context) mqtt_client_on_message_with((client), (callback), (context), NULL)
#define mqtt_client_on_connection(client, callback, context) mqtt_client_on_connection_with((client), (callback), (context), NULL)
#define mqtt_client_on_receipt(client, callback, context) mqtt_client_on_receipt_with((client), (callback), (context), NULL)
#define mqtt_client_on_subscription(client, callback, context) mqtt_client_on_subscription_with((client), (callback), (context), NULL)
#define mqtt_client_on_log(client, callback, context) mqtt_client_on_log_with((client), (callback), (context), NULL)
#define mqtt_client_on_events(client, callback, context) mqtt_client_on_events_with((client), (callback), (context), NULL)
#define mqtt_client_on_packet(client, packets, callback, context) mqtt_client_on_packet_with((client), (packets), (callback), (context), NULL)
#define mqtt_client_on_auth(client, callback, context) mqtt_client_on_auth_with((client), (callback), (context), NULL)
#define mqtt_client_on_connect(client, callback, context) mqtt_client_on_connect_with((client), (callback), (context), NULL)

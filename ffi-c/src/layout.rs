//! The structs of the header as a C compiler lays them out, and its initialisers, compared with those of the library.
use std::fmt::Write as _;
use std::mem::offset_of;
use std::process::Command;

use crate::auth::mqtt_auth_event;
use crate::close::mqtt_close_options;
use crate::connect::mqtt_connect_event;
use crate::event::*;
use crate::letter::{mqtt_letter, mqtt_pair};
use crate::message::{mqtt_message, mqtt_property};
use crate::packet::mqtt_packet_event;
use crate::receipt::mqtt_outcome;
use crate::sign::mqtt_sign_event;
use crate::stats::mqtt_stats;
use crate::subscribe::mqtt_subscribe_options;

/// A struct of the header: its size, and place and size of each field.
struct Layout {
    name: &'static str,
    size: usize,
    fields: Vec<(&'static str, usize, usize)>,
}

macro_rules! layout {
    ($name:ident: $($field:ident)*) => {
        Layout {
            name: stringify!($name),
            size: size_of::<$name>(),
            fields: vec![$((stringify!($field), offset_of!($name, $field), size_behind(|it: &$name| &raw const it.$field))),*],
        }
    };
}

fn size_behind<S, T>(_field: fn(&S) -> *const T) -> usize {
    size_of::<T>()
}

fn layouts() -> Vec<Layout> {
    vec![
        layout!(mqtt_pair: name value),
        layout!(mqtt_outcome: status reason ok delivered maybe_delivered),
        layout!(mqtt_message: topic topic_length payload payload_length properties origin qos retain dup),
        layout!(mqtt_property: name name_length value value_length number),
        layout!(mqtt_event: kind context data),
        layout!(mqtt_connection_event: kind reason version session_present retry_in_ms keep_alive_s
            round_trip_us address client_id client_id_length text text_length properties error),
        layout!(mqtt_receipt_event: receipt outcome text text_length properties),
        layout!(mqtt_subscription_event: filter filter_length state reason),
        layout!(mqtt_log_event: level text text_length),
        layout!(mqtt_stats: status last_error queued queued_bytes in_flight in_flight_bytes oldest_ms bytes_in bytes_out
            messages_in messages_out outcomes reconnects failed_attempts round_trip_us inbox_messages
            inbox_bytes inbox_dropped unhandled oversize handler_failures),
        layout!(mqtt_packet_event: number packet packet_id reason reasons reason_count session_present receipt properties),
        layout!(mqtt_auth_event: number stage reauthentication method method_length data data_length properties),
        layout!(mqtt_connect_event: number attempt url url_length),
        layout!(mqtt_sign_event: signing scheme scheme_length message message_length),
        letter(),
        subscribe_options(),
        close_options(),
    ]
}

fn letter() -> Layout {
    layout!(mqtt_letter: size topic payload payload_length release release_context qos retain ttl_ms
        priority overflow replace message_expiry_s payload_format content_type response_topic
        correlation_data correlation_data_length user_properties user_property_count)
}

fn subscribe_options() -> Layout {
    layout!(mqtt_subscribe_options: size qos no_local retain_as_published retain_handling timeout_ms
        user_properties user_property_count)
}

fn close_options() -> Layout {
    layout!(mqtt_close_options: size timeout_ms end_session with_will session_expiry_s reason_string
        user_properties user_property_count)
}

/// The bytes of a struct's fields, one line each, as `show` in C prints them.
fn contents<T>(layout: &Layout, value: &T) -> String {
    let mut text = String::new();
    for &(name, offset, size) in &layout.fields {
        let field = (&raw const *value).cast::<u8>().wrapping_add(offset);
        // SAFETY: the field is `size` initialised bytes of `value`, without padding.
        let bytes = unsafe { std::slice::from_raw_parts(field, size) };
        let _ = write!(text, "{}.{name}", layout.name);
        for byte in bytes {
            let _ = write!(text, " {byte:02x}");
        }
        text.push('\n');
    }
    text
}

/// A C program that does not compile where a layout differs, and prints what the initialisers set.
fn program() -> String {
    let mut code = String::from(
        "#include <leveret.h>\n#include <stddef.h>\n#include <stdio.h>\n\
         #define SAME(a, b) extern char same_##__LINE__[(a) == (b) ? 1 : -1]\n\
         #define SHOW(s, v, f) do { printf(#s \".\" #f); for (size_t i = 0; i < sizeof (v).f; i++) \
         printf(\" %02x\", ((unsigned char *)&(v).f)[i]); putchar('\\n'); } while (0)\n",
    );
    for Layout { name, size, fields } in layouts() {
        let _ = writeln!(code, "SAME(sizeof({name}), {size});");
        for (field, offset, size) in fields {
            let _ = writeln!(code, "SAME(offsetof({name}, {field}), {offset});");
            let _ = writeln!(code, "SAME(sizeof((({name} *)0)->{field}), {size});");
        }
    }
    code.push_str("int main(void) {\n");
    for (layout, init) in [
        (letter(), "MQTT_LETTER_INIT"),
        (subscribe_options(), "MQTT_SUBSCRIBE_OPTIONS_INIT"),
        (close_options(), "MQTT_CLOSE_OPTIONS_INIT"),
    ] {
        let name = layout.name;
        let _ = writeln!(code, "{{ {name} it = {init};");
        for (field, _, _) in layout.fields {
            let _ = writeln!(code, "SHOW({name}, it, {field});");
        }
        code.push_str("}\n");
    }
    code.push_str("return 0; }\n");
    code
}

#[test]
fn c_lays_structs_out_and_initialises_them_as_the_library_does() {
    let folder = std::env::temp_dir().join(format!("leveret-layout-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for the program");
    let (source, binary) = (folder.join("layout.c"), folder.join("layout"));
    std::fs::write(&source, program()).expect("the program is written");
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
    let include = concat!("-I", env!("CARGO_MANIFEST_DIR"), "/../include");
    let compiled = Command::new(compiler)
        .args(["-std=c99", include, "-o"])
        .arg(&binary)
        .arg(&source)
        .output();
    let compiled = compiled.expect("a C compiler is there");
    assert!(
        compiled.status.success(),
        "{}",
        String::from_utf8_lossy(&compiled.stderr)
    );
    let printed = Command::new(&binary).output().expect("the program runs");
    let expected = contents(&letter(), &mqtt_letter::INIT)
        + &contents(&subscribe_options(), &mqtt_subscribe_options::INIT)
        + &contents(&close_options(), &mqtt_close_options::INIT);
    assert_eq!(String::from_utf8_lossy(&printed.stdout), expected);
    std::fs::remove_dir_all(&folder).expect("the folder goes again");
}

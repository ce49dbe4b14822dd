//! Tells the linker that Node's symbols are found in the process that loads the module.
fn main() {
    napi_build::setup();
}

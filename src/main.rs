//! The `tollgate` command.
use tollgate::config::compile::*;
use tollgate::runtime::gateway::Gateway;
fn main() {
    let text = std::env::args()
        .nth(1)
        .map(|f| std::fs::read_to_string(f).unwrap())
        .unwrap_or("routes: []".into());
    let loaded = load_file(&text, LoadOptions::FILE).unwrap();
    let gw = Gateway::new(loaded, 1000);
    let _ = tollgate::frontend::stdio::serve(
        &gw,
        false,
        std::time::Instant::now,
        std::io::stdin().lock(),
        std::io::stdout().lock(),
    );
}

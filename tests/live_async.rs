//! Live inside another runtime, as in `#[tokio::test]`, of both flavours.

use portable_winhttp::lab::{Live, Reply, any};

#[test]
fn live_lives_inside_a_runtime() {
    let flavours = [tokio::runtime::Builder::new_current_thread(), tokio::runtime::Builder::new_multi_thread()];
    for mut flavour in flavours {
        flavour.build().unwrap().block_on(async {
            let live = Live::new();
            live.peer("http://api.test").on(any()).reply(Reply::ok()).expect(0);
            drop(live);
        });
    }
}

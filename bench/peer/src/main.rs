//! A peer to compare with: what the reference implementation does to the packets of one batch, with the libraries that
//! it uses, on one thread. Signatures are left out, as they cost nothing per packet.
//!
//!     prio-peer intake    BINS IS_FIRST PACKET_FILE VALIDATION_FILE
//!     prio-peer aggregate BINS IS_FIRST PACKET_FILE PEER_VALIDATION_FILE
//!
//! `intake` writes the validation packets. Both print one line of JSON: packets, `wallMs`, `cpuMs`, `peakMiB`, the
//! phases, and of `aggregate` also `sum` and `counted`. The packet decryption key is in PACKET_DECRYPTION_KEY.

mod measure;
mod records;

use measure::Measure;
use prio::encrypt::PrivateKey;
use prio::field::FieldPrio2;
use prio::server::Server;
use records::{read_packets, read_told, write_told, Packet, Result, Told};
use ring::digest::{digest, SHA256};
use serde_json::{json, Map, Value};
use std::collections::{HashMap, HashSet};
use std::{env, fs};

fn main() -> Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [command, bins, is_first, packet_file, validation_file] = args.as_slice() else {
        return Err("usage: prio-peer intake|aggregate BINS true|false PACKET_FILE VALIDATION_FILE".into());
    };
    let key = PrivateKey::from_base64(&env::var("PACKET_DECRYPTION_KEY")?)?;
    let server = Server::new(bins.parse()?, is_first.parse()?, key)?;
    let report = match command.as_str() {
        "intake" => intake(server, packet_file, validation_file),
        "aggregate" => aggregate(server, packet_file, validation_file),
        other => Err(format!("no command {other}").into()),
    }?;
    println!("{}", Value::Object(report));
    Ok(())
}

fn intake(mut server: Server<FieldPrio2>, packet_file: &str, validation_file: &str) -> Result<Map<String, Value>> {
    let mut measure = Measure::start();
    let packets = measure.phase("read", || read_batch(packet_file))?;
    let told = measure.phase("evaluate", || evaluate(&mut server, &packets))?;
    measure.phase("write", || -> Result<()> {
        let file = write_told(&told)?;
        digest(&SHA256, &file);
        Ok(fs::write(validation_file, file)?)
    })?;
    Ok(measure.report(packets.len()))
}

/// Every payload is decrypted twice, as it is by the reference: for our own message, and to be summed.
fn aggregate(mut server: Server<FieldPrio2>, packet_file: &str, peer_file: &str) -> Result<Map<String, Value>> {
    let mut measure = Measure::start();
    let packets = measure.phase("read", || read_batch(packet_file))?;
    let by_peer: HashMap<_, _> = measure.phase("read peer", || -> Result<_> {
        let file = fs::read(peer_file)?;
        digest(&SHA256, &file);
        Ok(read_told(&file)?.into_iter().map(|told| (told.uuid, told.message)).collect())
    })?;
    let own = measure.phase("evaluate", || evaluate(&mut server, &packets))?;
    let counted = measure.phase("sum", || -> Result<usize> {
        let mut seen = HashSet::new();
        let mut counted = 0;
        for (packet, own) in packets.iter().zip(&own) {
            if !seen.insert(packet.uuid) {
                continue;
            }
            let Some(peer) = by_peer.get(&packet.uuid) else { continue };
            counted += usize::from(server.aggregate(&packet.payload, &own.message, peer)?);
        }
        Ok(counted)
    })?;
    let mut report = measure.report(packets.len());
    let sum: Vec<u32> = server.total_shares().iter().map(|&element| element.into()).collect();
    report.insert("counted".into(), json!(counted));
    report.insert("sum".into(), json!(sum));
    Ok(report)
}

/// All of the file at once, its digest, then its packets, as the reference does.
fn read_batch(packet_file: &str) -> Result<Vec<Packet>> {
    let file = fs::read(packet_file)?;
    digest(&SHA256, &file);
    read_packets(&file)
}

fn evaluate(server: &mut Server<FieldPrio2>, packets: &[Packet]) -> Result<Vec<Told>> {
    packets
        .iter()
        .map(|packet| {
            let message = server.generate_verification_message(FieldPrio2::from(packet.r_pit), &packet.payload)?;
            Ok(Told { uuid: packet.uuid, message })
        })
        .collect()
}

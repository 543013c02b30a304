//! The records of a batch, as Avro object container files. docs/protocol.md, "Avro".

use avro_rs::types::{Record, Value};
use avro_rs::{Reader, Schema, Writer};
use prio::field::FieldPrio2;
use prio::server::VerificationMessage;
use std::error::Error;
use uuid::Uuid;

pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

const PACKET: &str = r#"{"type":"record","namespace":"org.abetterinternet.prio.v1","name":"PrioDataSharePacket","fields":[
    {"name":"uuid","type":{"type":"string","logicalType":"uuid"}},
    {"name":"encrypted_payload","type":"bytes"},
    {"name":"encryption_key_id","type":["null","string"]},
    {"name":"r_pit","type":"long"},
    {"name":"version_configuration","type":["null","string"]},
    {"name":"device_nonce","type":["null","bytes"]}]}"#;

const MESSAGE: &str = r#"{"type":"record","namespace":"org.abetterinternet.prio.v1","name":"PrioValidityPacket","fields":[
    {"name":"uuid","type":{"type":"string","logicalType":"uuid"}},
    {"name":"f_r","type":"long"},
    {"name":"g_r","type":"long"},
    {"name":"h_r","type":"long"}]}"#;

/// What matters of a packet.
pub struct Packet {
    pub uuid: Uuid,
    pub payload: Vec<u8>,
    pub r_pit: u32,
}

/// What a server says about a packet.
pub struct Told {
    pub uuid: Uuid,
    pub message: VerificationMessage<FieldPrio2>,
}

pub fn read_packets(file: &[u8]) -> Result<Vec<Packet>> {
    read(PACKET, file, |name, value, packet: &mut (Uuid, Vec<u8>, u32)| {
        match (name, value) {
            ("uuid", Value::Uuid(uuid)) => packet.0 = uuid,
            ("encrypted_payload", Value::Bytes(bytes)) => packet.1 = bytes,
            ("r_pit", Value::Long(r_pit)) => packet.2 = u32::try_from(r_pit)?,
            _ => {}
        }
        Ok(())
    })
    .map(|packets| packets.into_iter().map(|(uuid, payload, r_pit)| Packet { uuid, payload, r_pit }).collect())
}

pub fn read_told(file: &[u8]) -> Result<Vec<Told>> {
    read(MESSAGE, file, |name, value, told: &mut (Uuid, [u32; 3])| {
        match (name, value) {
            ("uuid", Value::Uuid(uuid)) => told.0 = uuid,
            ("f_r", Value::Long(value)) => told.1[0] = u32::try_from(value)?,
            ("g_r", Value::Long(value)) => told.1[1] = u32::try_from(value)?,
            ("h_r", Value::Long(value)) => told.1[2] = u32::try_from(value)?,
            _ => {}
        }
        Ok(())
    })
    .map(|all| {
        all.into_iter()
            .map(|(uuid, [f_r, g_r, h_r])| Told {
                uuid,
                message: VerificationMessage { f_r: f_r.into(), g_r: g_r.into(), h_r: h_r.into() },
            })
            .collect()
    })
}

/// Reads all records of a file; `take` is given each field of a record with the record so far.
fn read<T: Default>(
    schema: &str,
    file: &[u8],
    take: impl Fn(&str, Value, &mut T) -> Result<()>,
) -> Result<Vec<T>> {
    let schema = Schema::parse_str(schema)?;
    let mut records = Vec::new();
    for value in Reader::with_schema(&schema, file)? {
        let Value::Record(fields) = value? else { return Err("not a record".into()) };
        let mut record = T::default();
        for (name, value) in fields {
            take(&name, value, &mut record)?;
        }
        records.push(record);
    }
    Ok(records)
}

pub fn write_told(all: &[Told]) -> Result<Vec<u8>> {
    let schema = Schema::parse_str(MESSAGE)?;
    let mut writer = Writer::new(&schema, Vec::new());
    for Told { uuid, message } in all {
        let mut record = Record::new(&schema).ok_or("the schema is of no record")?;
        record.put("uuid", Value::Uuid(*uuid));
        record.put("f_r", Value::Long(u32::from(message.f_r).into()));
        record.put("g_r", Value::Long(u32::from(message.g_r).into()));
        record.put("h_r", Value::Long(u32::from(message.h_r).into()));
        writer.append(record)?;
    }
    Ok(writer.into_inner()?)
}

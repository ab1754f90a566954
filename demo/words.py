"""Invented names and texts, in Portuguese with its accents."""

from __future__ import annotations

ORDER_STATUSES = ("NEW", "CONFIRMED", "IN_PROGRESS", "COMPLETED", "CANCELLED")
ALLOCATION_STATUSES = ("ALLOCATED", "RESERVED", "PICKED", "SHIPPED", "CANCELLED")
LOCATION_TYPES = ("PICK",) * 9 + ("FORWARD", "FORWARD", "RESERVE", "RESERVE", "RESERVE", "BULK", "BULK", "BULK", "STAGE", "DOCK", "DAMAGED")
ITEM_NOUNS = (
    "Parafuso",
    "Pão de açúcar",
    "Café torrado",
    "Feijão",
    "Lâmpada",
    "Tênis",
    "Óleo de soja",
    "Maçã",
    "Colchão",
    "Ventilador",
    "Açaí",
)
ITEM_KINDS = ("sextavado", "orgânico", "clássico", "econômico", "elétrico", "água-marinha", "“premium”", "N° 3", "d'água")
ITEM_SIZES = ("pequeno", "médio", "grande", "extra-grande", "½ kg", "caixa c/ 12", "10 × 20 mm")
ITEM_CATEGORIES = ("Ferragens", "Alimentação", "Iluminação", "Calçados", "Móveis", "Eletrodomésticos")
CATEGORY_CODES = ("FER", "ALI", "ILU", "CAL", "MOV", "ELE")
UNITS = ("UN", "CX", "KG", "PÇ", "PAR")
STORAGE_TYPES = ("SECO", "REFRIGERADO", "CONGELADO", "INFLAMÁVEL", "CÂMARA")
HAZMAT_CLASSES = ("1.4S", "2.1", "3", "4.1", "5.1", "6.1", "8", "9", "NÃO")
ZONES = ("ZONA-A", "ZONA-B", "ZONA-C", "ZONA-D")
TEMPERATURES = ("AMBIENTE",) * 9 + ("FRIO", "CONGELADO", "CLIMATIZADO")
FACILITIES = ("CD-SÃO PAULO", "CD-BRASÍLIA", "CD-GOIÂNIA")
CARRIERS = ("CORREIOS", "JADLOG", "RODONAVES", "BRASPRESS", "PRÓPRIO")
COMPANY_FORMS = ("Comércio", "Mercado", "Padaria", "Indústria", "Distribuidora", "Farmácia", "Armazém")
COMPANY_ENDS = ("Ltda.", "S.A.", "& Filhos", "ME", "Irmãos", "EIRELI")
SURNAMES = ("Conceição", "Gonçalves", "Araújo", "Simões", "Assunção", "D'Ávila", "Müller", "Nuñez", "Brandão", "Falcão", "Sá", "Antônio")
USERS = ("joao.silva", "maria.conceicao", "josé.araújo", "ana.lúcia", "pedro.simões", "operador 07", "RF-GUN-11", "sistema")
CITIES = (
    ("São Paulo", "SP"),
    ("Goiânia", "GO"),
    ("Brasília", "DF"),
    ("Belém", "PA"),
    ("Maceió", "AL"),
    ("Florianópolis", "SC"),
    ("Vitória", "ES"),
    ("São Luís", "MA"),
    ("Cuiabá", "MT"),
    ("Uberlândia", "MG"),
    ("Ribeirão Preto", "SP"),
    ("Niterói", "RJ"),
)
INSTRUCTIONS = (
    "Entregar somente após as 14h; não deixar na portaria.",
    "Cuidado: frágil! Manter na posição vertical (↑).",
    "Cliente exige nota fiscal impressa.\nAgendar com o Sr. Antônio, ramal 212.",
    "Descarga pela doca 3 — caminhão até 6 m.",
    "Não fracionar.\tUrgência máxima; ligar antes 📦.",
    "Recepção fechada às 17:30. É obrigatório o uso de crachá.",
)
